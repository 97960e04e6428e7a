SELECT
  "t6"."period",
  COUNT(*) AS "n",
  SUM("t6"."v0") AS "s0",
  SUM("t6"."v1") AS "s1",
  SUM("t6"."v0" * "t6"."v0") AS "q00",
  SUM("t6"."v0" * "t6"."v1") AS "q01",
  SUM("t6"."v1" * "t6"."v1") AS "q11"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t4"."period",
      CASE
        WHEN CAST(CASE WHEN "t4"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) > 0
        THEN "t4"."v0"
        ELSE 0
      END AS "v0",
      CAST(CASE WHEN "t4"."v1" >= 1 THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
    FROM (
      SELECT
        "t3"."period",
        "t3"."unit",
        SUM("t3"."v0") AS "v0",
        SUM("t3"."v1") AS "v1"
      FROM (
        SELECT
          *
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
            CAST(CASE
              WHEN TRUE
              AND (
                "t1"."p_who" IS NOT NULL
              )
              AND (
                (
                  ROW_NUMBER() OVER (
                    PARTITION BY "t1"."unit", CAST(DATE_TRUNC(
                      'WEEK',
                      CASE
                        WHEN "t1"."event_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
                        THEN "t1"."event_time" + INTERVAL '7200' SECOND
                        ELSE "t1"."event_time" + INTERVAL '3600' SECOND
                      END
                    ) AS DATE), TRUE, "t1"."p_who"
                    ORDER BY "t1"."event_time" ASC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                  ) - 1
                ) = 0
              )
              THEN 1
              ELSE 0
            END AS DOUBLE) AS "v0",
            CAST(CASE WHEN TRUE THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
          FROM (
            SELECT
              "t0"."start_time" AS "event_time",
              "t0"."account_id" AS "unit",
              "t0"."interaction_id" AS "p_interaction_id",
              "t0"."account_id" AS "p_account_id",
              "t0"."opportunity_id" AS "p_opportunity_id",
              "t0"."kind" AS "p_kind",
              "t0"."service" AS "p_service",
              "t0"."who" AS "p_who",
              "t0"."minutes" AS "p_minutes"
            FROM "interactions" AS "t0"
            WHERE
              "t0"."account_id" IS NOT NULL
              AND "t0"."start_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
              AND "t0"."start_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
              AND (
                TRUE OR TRUE
              )
          ) AS "t1"
        ) AS "t2"
        WHERE
          "t2"."unit" IS NOT NULL
      ) AS "t3"
      GROUP BY
        1,
        2
    ) AS "t4"
  ) AS "t5"
  WHERE
    (
      "t5"."v0" <> 0
    ) OR (
      "t5"."v1" <> 0
    )
) AS "t6"
GROUP BY
  1
