SELECT
  "t8"."period",
  COUNT(*) AS "new",
  SUM("t8"."each") AS "weight",
  SUM("t8"."each" * "t8"."each") AS "square"
FROM (
  SELECT
    "t7"."person_id",
    "t7"."start",
    CAST(DATE_TRUNC(
      'WEEK',
      CASE
        WHEN "t7"."start" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
        THEN "t7"."start" + INTERVAL '7200' SECOND
        ELSE "t7"."start" + INTERVAL '3600' SECOND
      END
    ) AS DATE) AS "period",
    1.0 AS "each"
  FROM (
    SELECT
      "t6"."person_id",
      MIN("t6"."event_time") AS "start"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t4"."person_id",
          "t2"."kind",
          "t2"."event",
          "t2"."source",
          "t2"."event_time",
          "t2"."properties",
          "t2"."p_revenue",
          "t2"."p_currency",
          "t2"."p_surface"
        FROM "events" AS "t2"
        INNER JOIN (
          SELECT
            "t1"."key" AS "identifier",
            "t1"."person_id"
          FROM "identifiers" AS "t1"
        ) AS "t4"
          ON "t2"."identifier" = "t4"."identifier"
      ) AS "t5"
      WHERE
        "t5"."event" IN ('signed_up') AND "t5"."kind" = 'track'
    ) AS "t6"
    GROUP BY
      1
  ) AS "t7"
  WHERE
    "t7"."start" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
    AND "t7"."start" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
) AS "t8"
GROUP BY
  1
