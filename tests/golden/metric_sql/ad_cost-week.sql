SELECT
  "t4"."period",
  COUNT(*) AS "n",
  SUM("t4"."v0") AS "s0",
  SUM("t4"."v0" * "t4"."v0") AS "q00"
FROM (
  SELECT
    "t3"."period",
    "t3"."v0"
  FROM (
    SELECT
      "t2"."period",
      "t2"."unit",
      SUM("t2"."v0") AS "v0"
    FROM (
      SELECT
        "t1"."unit",
        CAST(DATE_TRUNC(
          'WEEK',
          CASE
            WHEN "t1"."event_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
            THEN "t1"."event_time" + INTERVAL '7200' SECOND
            ELSE "t1"."event_time" + INTERVAL '3600' SECOND
          END
        ) AS DATE) AS "period",
        CASE
          WHEN TRUE AND (
            COALESCE("t1"."p_currency", '') = ''
          )
          THEN COALESCE(CAST("t1"."p_amount" AS DOUBLE), 0)
          ELSE 0
        END AS "v0"
      FROM (
        SELECT
          CASE
            WHEN (
              CAST("t0"."cost_date" AS TIMESTAMP) - INTERVAL '3600' SECOND
            ) >= MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
            THEN CAST("t0"."cost_date" AS TIMESTAMP) - INTERVAL '3600' SECOND
            ELSE CAST("t0"."cost_date" AS TIMESTAMP) - INTERVAL '7200' SECOND
          END AS "event_time",
          "t0"."campaign_id" AS "unit",
          "t0"."ad_cost_id" AS "p_ad_cost_id",
          "t0"."campaign_id" AS "p_campaign_id",
          "t0"."channel" AS "p_channel",
          "t0"."amount_micros" AS "p_amount",
          "t0"."currency" AS "p_currency",
          "t0"."impressions" AS "p_impressions",
          "t0"."clicks" AS "p_clicks"
        FROM "ad_costs" AS "t0"
        WHERE
          "t0"."campaign_id" IS NOT NULL
      ) AS "t1"
      WHERE
        "t1"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
        AND "t1"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
        AND TRUE
        AND "t1"."unit" IS NOT NULL
    ) AS "t2"
    GROUP BY
      1,
      2
  ) AS "t3"
  WHERE
    "t3"."v0" <> 0
) AS "t4"
GROUP BY
  1
