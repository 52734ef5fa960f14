-- Orders in a currency that models.yaml has no rate for: their values would be missing from every sum.
SELECT order_id
FROM {{ ref('paid_orders') }}
WHERE total IS NULL
