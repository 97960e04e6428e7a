SELECT
  "t7"."by",
  "t7"."value",
  "t7"."weight",
  COUNT(*) AS "units"
FROM (
  SELECT
    "t6"."person_id",
    "t6"."by",
    CAST(COUNT(*) AS DOUBLE) AS "value",
    MIN("t6"."weight") AS "weight"
  FROM (
    SELECT
      "t5"."person_id",
      1.0 AS "weight",
      CAST(NULL AS TEXT) AS "by",
      1.0 AS "amount"
    FROM (
      SELECT
        "t4"."person_id",
        "t2"."kind",
        "t2"."event",
        "t2"."event_time",
        "t2"."log_offset",
        "t2"."place",
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
      "t5"."event" = 'seen'
      AND "t5"."kind" = 'track'
      AND "t5"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
      AND "t5"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
  ) AS "t6"
  GROUP BY
    1,
    2
) AS "t7"
GROUP BY
  1,
  2,
  3
