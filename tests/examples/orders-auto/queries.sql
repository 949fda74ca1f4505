-- The twelve columns, found without a spec
SELECT column_name, column_type FROM (DESCRIBE orders);

-- Largest orders
SELECT order_id, customer_name, total_amount FROM orders
GROUP BY ALL ORDER BY total_amount DESC LIMIT 3;
