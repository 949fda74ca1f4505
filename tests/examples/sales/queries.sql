-- Daily revenue
SELECT order_date, round(sum(total_amount), 2) AS revenue, count(*) AS lines
FROM sales GROUP BY order_date ORDER BY order_date;

-- Top selling products
SELECT product, sum(quantity) AS sold, round(sum(total_amount), 2) AS revenue
FROM sales GROUP BY product ORDER BY sold DESC, product LIMIT 5;

-- One day: only its partition is read
SELECT count(*) AS lines FROM sales WHERE order_date = DATE '2025-01-03';
