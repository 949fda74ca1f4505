-- The twelve columns, found without a spec
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position;

-- Largest orders
SELECT order_id, customer_name, total_amount FROM orders
GROUP BY order_id, customer_name, total_amount ORDER BY total_amount DESC LIMIT 3;
