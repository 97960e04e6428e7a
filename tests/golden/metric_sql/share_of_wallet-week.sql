SELECT
  "t3"."period",
  COUNT(*) AS "n",
  SUM("t3"."v0") AS "s0",
  SUM("t3"."v1") AS "s1",
  SUM("t3"."v0" * "t3"."v0") AS "q00",
  SUM("t3"."v0" * "t3"."v1") AS "q01",
  SUM("t3"."v1" * "t3"."v1") AS "q11"
FROM (
  SELECT
    "t2"."period",
    "t2"."v0",
    "t2"."v1"
  FROM (
    SELECT
      "t1"."period",
      "t1"."unit",
      SUM("t1"."v0") AS "v0",
      SUM("t1"."v1") AS "v1"
    FROM (
      SELECT
        "t0"."account_id" AS "unit",
        CAST(DATE_TRUNC(
          'WEEK',
          CASE
            WHEN "t0"."answer_time" < MAKE_TIMESTAMP(2026, 10, 25, 1, 0, 0.0)
            THEN "t0"."answer_time" + INTERVAL '7200' SECOND
            ELSE "t0"."answer_time" + INTERVAL '3600' SECOND
          END
        ) AS DATE) AS "period",
        CASE
          WHEN TRUE AND "t0"."survey" IN ('share_of_wallet')
          THEN COALESCE(CAST("t0"."score" AS DOUBLE), 0)
          ELSE 0
        END AS "v0",
        CAST(CASE WHEN TRUE AND "t0"."survey" IN ('share_of_wallet') THEN 1 ELSE 0 END AS DOUBLE) AS "v1"
      FROM "answers" AS "t0"
      WHERE
        "t0"."account_id" IS NOT NULL
        AND "t0"."answer_time" >= MAKE_TIMESTAMP(2026, 10, 19, 0, 0, 0.0)
        AND "t0"."answer_time" < MAKE_TIMESTAMP(2026, 11, 2, 0, 0, 0.0)
        AND (
          (
            TRUE AND "t0"."survey" IN ('share_of_wallet')
          )
          OR (
            TRUE AND "t0"."survey" IN ('share_of_wallet')
          )
        )
    ) AS "t1"
    GROUP BY
      1,
      2
  ) AS "t2"
  WHERE
    (
      "t2"."v0" <> 0
    ) OR (
      "t2"."v1" <> 0
    )
) AS "t3"
GROUP BY
  1
