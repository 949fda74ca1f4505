-- Revenue by category
SELECT category, count(*) AS products, round(sum(price * quantity), 2) AS revenue
FROM orders WHERE category IS NOT NULL GROUP BY category ORDER BY revenue DESC;

-- Orders without a product or without a customer: still there
SELECT order_id, customer_name, product_id FROM orders
WHERE product_id IS NULL OR customer_id IS NULL ORDER BY order_id, product_id;

-- Columns that came with the second file are null in the first
SELECT coupon_code, count(DISTINCT order_id) AS orders FROM orders GROUP BY coupon_code ORDER BY coupon_code NULLS FIRST;
