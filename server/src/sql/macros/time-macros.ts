/** Points in time are nanoseconds since the Unix epoch, intervals are `{m, d, n}`: months, days, nanoseconds. */
export const TIME_MACROS: readonly string[] = [
  'mm_floor_div(a, b) AS (a // b - CASE WHEN a % b < 0 THEN 1 ELSE 0 END)',
  'mm_floor_mod(a, b) AS (((a % b) + b) % b)',
  'mm_floor_to(ns, step, origin) AS (ns - mm_floor_mod(ns - origin, step))',
  'mm_trunc_calendar(unit, ns) AS epoch_ns(CAST(date_trunc(unit, make_timestamp_ns(ns)) AS TIMESTAMP_NS))',
  `mm_fraction(ns) AS CASE
     WHEN mm_floor_mod(ns, 1000000000) = 0 THEN ''
     WHEN mm_floor_mod(ns, 1000000) = 0 THEN '.' || lpad(CAST(mm_floor_mod(ns, 1000000000) // 1000000 AS VARCHAR), 3, '0')
     WHEN mm_floor_mod(ns, 1000) = 0 THEN '.' || lpad(CAST(mm_floor_mod(ns, 1000000000) // 1000 AS VARCHAR), 6, '0')
     ELSE '.' || lpad(CAST(mm_floor_mod(ns, 1000000000) AS VARCHAR), 9, '0') END`,
  "mm_time_text(ns, zone) AS (strftime(make_timestamp_ns(ns), '%Y-%m-%dT%H:%M:%S') || mm_fraction(ns) || zone)",
  "mm_clock_text(ns) AS (strftime(make_timestamp_ns(ns), '%H:%M:%S') || mm_fraction(ns))",
  `mm_two(n) AS CAST(n AS VARCHAR)`,
  `mm_duration_seconds(n) AS (CASE WHEN n < 0 AND n // 1000000000 = 0 THEN '-' ELSE '' END || CAST(n // 1000000000 AS VARCHAR) || '.' || lpad(CAST(abs(n % 1000000000) AS VARCHAR), 9, '0') || ' secs')`,
  `mm_duration_text(ns) AS concat(
     CAST(ns // 86400000000000 AS VARCHAR), ' days ',
     CAST(ns // 3600000000000 % 24 AS VARCHAR), ' hours ',
     CAST(ns // 60000000000 % 60 AS VARCHAR), ' mins ',
     mm_duration_seconds(ns % 60000000000))`,
  `mm_interval_text(i) AS CASE WHEN i IS NULL THEN NULL ELSE array_to_string(list_filter([
     CASE WHEN (i).m <> 0 THEN CAST((i).m AS VARCHAR) || ' mons' END,
     CASE WHEN (i).d <> 0 THEN CAST((i).d AS VARCHAR) || ' days' END,
     CASE WHEN (i).n // 3600000000000 <> 0 THEN CAST((i).n // 3600000000000 AS VARCHAR) || ' hours' END,
     CASE WHEN (i).n // 60000000000 % 60 <> 0 THEN CAST((i).n // 60000000000 % 60 AS VARCHAR) || ' mins' END,
     CASE WHEN (i).n % 60000000000 <> 0 THEN mm_duration_seconds((i).n % 60000000000) END
   ], lambda e: e IS NOT NULL), ' ') END`,
  'mm_interval_ns(i) AS (((i).m::BIGINT * 30 + (i).d) * 86400000000000 + (i).n)',
  'mm_interval_seconds(i) AS (((i).m::DOUBLE * 30 + (i).d) * 86400 + (i).n::DOUBLE / 1e9)',
  "mm_interval_add(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE {'m': CAST((a).m + (b).m AS INTEGER), 'd': CAST((a).d + (b).d AS INTEGER), 'n': (a).n + (b).n} END",
  "mm_interval_sub(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE {'m': CAST((a).m - (b).m AS INTEGER), 'd': CAST((a).d - (b).d AS INTEGER), 'n': (a).n - (b).n} END",
  `mm_move_months(ns, months) AS (
     epoch_ns(CAST(CAST(make_timestamp_ns(ns - mm_floor_mod(ns, 86400000000000)) AS TIMESTAMP) + to_months(CAST(months AS INTEGER)) AS TIMESTAMP_NS))
     + mm_floor_mod(ns, 86400000000000))`,
  `mm_move(ns, i, sign) AS (
     CASE WHEN (i).m = 0 THEN ns ELSE mm_move_months(ns, sign * (i).m) END
     + sign * ((i).d::BIGINT * 86400000000000 + (i).n))`,
  `mm_month_index(ns) AS (year(make_timestamp_ns(ns)) * 12 + month(make_timestamp_ns(ns)) - 1)`,
  `mm_bin_months(ns, months, origin) AS mm_move_months(origin,
     mm_floor_div(mm_month_index(ns) - mm_month_index(origin) - CASE WHEN mm_move_months(origin, mm_month_index(ns) - mm_month_index(origin)) > ns THEN 1 ELSE 0 END, months) * months)`,
  'mm_parse_time(t) AS epoch_ns(CAST(mm_utc_text(t) AS TIMESTAMP_NS))',
  'mm_try_parse_time(t) AS epoch_ns(TRY_CAST(mm_utc_text(t) AS TIMESTAMP_NS))',
  "mm_utc_text(t) AS regexp_replace(trim(t), '\\s*UTC$', 'Z')",
  "mm_parse_date(t) AS CAST(CAST(CAST(t AS TIMESTAMP) AS DATE) - DATE '1970-01-01' AS INTEGER)",
  "mm_try_parse_date(t) AS CAST(TRY_CAST(TRY_CAST(t AS TIMESTAMP) AS DATE) - DATE '1970-01-01' AS INTEGER)",
  `mm_make_time(h, m, s) AS CASE
     WHEN h NOT BETWEEN 0 AND 23 THEN error('exec:Invalid hour value ' || CAST(h AS VARCHAR))
     WHEN m NOT BETWEEN 0 AND 59 THEN error('exec:Invalid minute value ' || CAST(m AS VARCHAR))
     WHEN s NOT BETWEEN 0 AND 59 THEN error('exec:Invalid second value ' || CAST(s AS VARCHAR))
     ELSE CAST(h * 3600 + m * 60 + s AS INTEGER) END`,
  `mm_time_series(first, last, step, inclusive) AS list_transform(
     CASE WHEN (step).m <> 0
       THEN list_transform(range(0, 100000), lambda k: mm_move(first, {'m': CAST((step).m * k AS INTEGER), 'd': CAST((step).d * k AS INTEGER), 'n': (step).n * k}, 1))
            [1:greatest((mm_month_index(last) - mm_month_index(first)) // (step).m + 2, 0)]
       ELSE range(first, last + CASE WHEN inclusive THEN sign(mm_interval_ns(step))::BIGINT ELSE 0 END, mm_interval_ns(step)) END, lambda v: v)`,
]
