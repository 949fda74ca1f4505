-- Orders and their items, joined
SELECT o.order_id, o.customer_name, count(*) AS items, round(sum(i.price * i.quantity), 2) AS items_total
FROM orders o JOIN order_items i ON i.order_id = o.order_id
GROUP BY o.order_id, o.customer_name ORDER BY items_total DESC LIMIT 3;

-- Accepted orders: 16 of the 20, and the one that was fixed and resubmitted
SELECT count(*) AS orders, count(*) FILTER (WHERE order_id = 'ORD-0014') AS resubmitted FROM orders;
