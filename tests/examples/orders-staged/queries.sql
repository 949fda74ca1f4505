-- Best customers
SELECT customer_id, count(DISTINCT order_id) AS orders, round(sum(product_price * product_quantity), 2) AS spent
FROM orders_data_parquet GROUP BY customer_id ORDER BY spent DESC, customer_id LIMIT 4;
