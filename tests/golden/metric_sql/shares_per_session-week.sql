SELECT
  "t13"."period",
  COUNT(*) AS "n",
  SUM("t13"."v0") AS "s0",
  SUM("t13"."v1") AS "s1",
  SUM("t13"."v0" * "t13"."v0") AS "q00",
  SUM("t13"."v0" * "t13"."v1") AS "q01",
  SUM("t13"."v1" * "t13"."v1") AS "q11"
FROM (
  SELECT
    "t12"."period",
    "t12"."v0",
    "t12"."v1"
  FROM (
    SELECT
      "t11"."period",
      "t11"."person_id",
      SUM("t11"."v0") AS "v0",
      SUM("t11"."v1") AS "v1"
    FROM (
      SELECT
        *
      FROM (
        SELECT
          "t7"."person_id",
          CAST(DATE_TRUNC(
            'WEEK',
            CASE
              WHEN "t7"."event_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t7"."event_time" + INTERVAL '7200' SECOND
              ELSE "t7"."event_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CAST(CASE
            WHEN "t7"."event" IN ('pin_shared') AND (
              "t7"."kind" = 'track'
            )
            THEN 1
            ELSE 0
          END AS DOUBLE) AS "v0",
          CAST(0 AS DOUBLE) AS "v1"
        FROM (
          SELECT
            "t6"."person_id",
            "t3"."kind",
            "t3"."event",
            "t3"."source",
            "t3"."event_time",
            "t3"."properties",
            "t3"."p_revenue",
            "t3"."p_currency",
            "t3"."p_surface"
          FROM "events" AS "t3"
          INNER JOIN (
            SELECT
              "t2"."key" AS "identifier",
              "t2"."person_id"
            FROM "identifiers" AS "t2"
          ) AS "t6"
            ON "t3"."identifier" = "t6"."identifier"
        ) AS "t7"
        WHERE
          "t7"."event_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
          AND "t7"."event_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
          AND "t7"."event" IN ('pin_shared')
          AND "t7"."kind" = 'track'
      ) AS "t9"
      UNION ALL
      SELECT
        *
      FROM (
        SELECT
          "t8"."person_id",
          CAST(DATE_TRUNC(
            'WEEK',
            CASE
              WHEN "t8"."start_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
              THEN "t8"."start_time" + INTERVAL '7200' SECOND
              ELSE "t8"."start_time" + INTERVAL '3600' SECOND
            END
          ) AS DATE) AS "period",
          CAST(0 AS DOUBLE) AS "v0",
          CAST(CASE WHEN TRUE THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
        FROM (
          SELECT
            "t6"."person_id",
            "t4"."start_time",
            "t4"."actions",
            "t4"."discoveries"
          FROM "sessions" AS "t4"
          INNER JOIN (
            SELECT
              "t2"."key" AS "identifier",
              "t2"."person_id"
            FROM "identifiers" AS "t2"
          ) AS "t6"
            ON "t4"."identifier" = "t6"."identifier"
        ) AS "t8"
        WHERE
          "t8"."start_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
          AND "t8"."start_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
          AND TRUE
      ) AS "t10"
    ) AS "t11"
    GROUP BY
      1,
      2
  ) AS "t12"
  WHERE
    (
      "t12"."v0" <> 0
    ) OR (
      "t12"."v1" <> 0
    )
) AS "t13"
GROUP BY
  1
