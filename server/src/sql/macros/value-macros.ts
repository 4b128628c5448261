/** Numbers, bits, lists, maps and histograms. */
export const VALUE_MACROS: readonly string[] = [
  // The reference writes 1e21 where DuckDB writes 1e+21.
  "mm_float_text(x) AS CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END ELSE mm_float_digits(x) END",
  `mm_float_digits(x) AS CASE
     WHEN abs(x) >= 1e-5 AND abs(x) < 1e-4 THEN CASE WHEN x < 0 THEN '-' ELSE '' END || '0.0000' || replace(split_part(CAST(abs(x) AS VARCHAR), 'e', 1), '.', '')
     ELSE regexp_replace(replace(CAST(x AS VARCHAR), 'e+', 'e'), 'e(-?)0+', 'e\\1') END`,
  "mm_parse_integer(t, type) AS CASE WHEN regexp_full_match(t, '[+-]?[0-9]+') THEN CAST(t AS HUGEINT) WHEN t IS NOT NULL THEN error('arrow:Cast error: Cannot cast string ''' || t || ''' to value of ' || type || ' type') END",
  "mm_try_parse_integer(t, type) AS CASE WHEN regexp_full_match(t, '[+-]?[0-9]+') THEN TRY_CAST(TRY_CAST(t AS HUGEINT) AS BIGINT) END",
  "mm_ln(x) AS CASE WHEN x > 0 THEN ln(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_log10(x) AS CASE WHEN x > 0 THEN log10(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_log2(x) AS CASE WHEN x > 0 THEN log2(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_sqrt(x) AS CASE WHEN x >= 0 THEN sqrt(x) WHEN isnan(x) THEN x WHEN x IS NOT NULL THEN error('arrow:Compute error: Execution error: cannot take square root of a negative number') END",
  "mm_acos(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_asin(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_acosh(x) AS CASE WHEN x >= 1 THEN acosh(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_atanh(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN atanh(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END",
  "mm_factorial(n) AS CASE WHEN n < 0 THEN error('exec:factorial of a negative number') WHEN n > 20 THEN error('exec:Overflow happened on FACTORIAL(' || CAST(n AS VARCHAR) || ')') WHEN n IS NOT NULL THEN CAST(list_product(range(1, n + 1)) AS BIGINT) END",
  'mm_round_to(x, n) AS CASE WHEN n >= 0 THEN round(x * pow(10, n)) / pow(10, n) ELSE round(x / pow(10, -n)) * pow(10, -n) END',
  'mm_trunc_to(x, n) AS trunc(x * pow(10, n)) / pow(10, n)',
  'mm_shift_left(a, b) AS (CAST(((a::HUGEINT & 18446744073709551615::HUGEINT) * (1::HUGEINT << CAST(b & 63 AS HUGEINT)) & 9223372036854775807::HUGEINT) AS BIGINT))',
  'mm_shift_right(a, b) AS (a // CAST(pow(2, b & 63) AS BIGINT) - CASE WHEN a < 0 AND a % CAST(pow(2, b & 63) AS BIGINT) <> 0 THEN 1 ELSE 0 END)',
  'mm_shift_leftu(a, b) AS CAST((a::HUGEINT << CAST(b & 63 AS HUGEINT)) & 18446744073709551615::HUGEINT AS UBIGINT)',
  'mm_shift_rightu(a, b) AS (a >> (b & 63))',
  'mm_to_hex(n) AS CASE WHEN n < 0 THEN lower(hex(CAST(18446744073709551616::HUGEINT + n AS UBIGINT))) ELSE lower(hex(CAST(n AS UBIGINT))) END',
  'mm_any(l) AS CASE WHEN list_contains(l, true) THEN true WHEN len(list_filter(l, lambda e: e IS NULL)) > 0 THEN NULL WHEN l IS NOT NULL THEN false END',
  'mm_all(l) AS CASE WHEN list_contains(l, false) THEN false WHEN len(list_filter(l, lambda e: e IS NULL)) > 0 THEN NULL WHEN l IS NOT NULL THEN true END',
  'mm_finite(x) AS x',

  "mm_list_text(l) AS CASE WHEN l IS NULL THEN NULL ELSE '[' || coalesce(array_to_string(list_transform(l, lambda e: coalesce(e, '')), ', '), '') || ']' END",
  "mm_list_join(l, s) AS CASE WHEN l IS NULL OR s IS NULL THEN NULL ELSE coalesce(array_to_string(l, s), '') END",
  'mm_list_distinct(l) AS list_filter(l, lambda e, i: list_position(l, e) = i OR (e IS NULL AND len(list_filter(l[1:i], lambda x: x IS NULL)) = 1))',
  'mm_list_position(l, v, f) AS CAST(list_position(l[f:], v) + f - 1 AS UBIGINT)',
  'mm_list_positions(l, v) AS list_filter(list_transform(l, lambda e, i: CASE WHEN e IS NOT DISTINCT FROM v THEN CAST(i AS UBIGINT) END), lambda p: p IS NOT NULL)',
  'mm_list_rank(l, v, i) AS len(list_filter(l[1:i], lambda x: x IS NOT DISTINCT FROM v))',
  'mm_list_remove(l, v, n) AS list_filter(l, lambda e, i: e IS DISTINCT FROM v OR mm_list_rank(l, v, i) > n)',
  'mm_list_replace(l, v, t, n) AS list_transform(l, lambda e, i: CASE WHEN e IS NOT DISTINCT FROM v AND mm_list_rank(l, v, i) <= n THEN t ELSE e END)',
  'mm_list_normalize(l) AS list_transform(l, lambda e: e / sqrt(list_sum(list_transform(l, lambda x: x * x))))',
  'mm_map_extract(m, k) AS CASE WHEN m IS NULL THEN NULL ELSE [m[k]] END',

  `mm_weighted_percentile(l, share) AS (list_sort(list_transform(list_filter(l, lambda e: e.v IS NOT NULL AND e.w > 0), lambda e: e.v)))[
     greatest(1, CAST(ceil(share * len(l)) AS BIGINT))]`,

  `mm_histogram_bin(first, last, bins, v) AS CASE WHEN v IS NULL THEN NULL
     WHEN isnan((v - first) / ((last - first) / bins)) THEN 0::BIGINT
     ELSE CAST(greatest(0, least(bins - 1, floor((v - first) / ((last - first) / bins)))) AS BIGINT) END`,
  `mm_histogram(first, last, bins, low, high, total, squares, n, h) AS CASE
     WHEN first IS NULL THEN NULL
     WHEN bins < 1 THEN error('exec:make_histogram: nb_bins must be >= 1, got ' || CAST(bins AS VARCHAR))
     WHEN bins > 1000000 THEN error('exec:make_histogram: nb_bins must be <= 1000000, got ' || CAST(bins AS VARCHAR))
     WHEN first > last THEN error('exec:make_histogram: start must be <= end')
     ELSE struct_pack(f0 := first, f1 := last,
       f2 := coalesce(low, 1.7976931348623157e308::DOUBLE), f3 := coalesce(high, -1.7976931348623157e308::DOUBLE),
       f4 := coalesce(total, 0::DOUBLE), f5 := coalesce(squares, 0::DOUBLE), f6 := CAST(n AS UBIGINT),
       f7 := list_transform(range(0, bins), lambda i: CAST(coalesce(h[i], 0) AS UBIGINT))) END`,
  `mm_sum_histograms(first, last, low, high, total, squares, n, all_bins) AS CASE
     WHEN first IS NULL THEN NULL
     ELSE struct_pack(f0 := first, f1 := last, f2 := low, f3 := high, f4 := total, f5 := squares, f6 := CAST(n AS UBIGINT),
       f7 := list_reduce(list_filter(all_bins, lambda b: b IS NOT NULL), lambda a, b: CASE WHEN len(a) <> len(b) THEN error('exec:Error merging incompatible histograms')
         ELSE list_transform(list_zip(a, b), lambda p: CAST(p[1] + p[2] AS UBIGINT)) END)) END`,
  `mm_histogram_variance(h) AS (((h).f5 / (h).f6 - pow((h).f4 / (h).f6, 2)) * ((h).f6 / ((h).f6::DOUBLE - 1)))`,
  'mm_running(l) AS list_transform(l, lambda e, i: CAST(list_sum(l[1:i]) AS DOUBLE))',
  `mm_quantile_in(h, wanted, sums, k) AS CASE WHEN k IS NULL THEN (h).f1 ELSE
     (1 - (wanted - (sums[k] - (h).f7[k])) / (h).f7[k]::DOUBLE) * ((h).f0 + (k - 1) * ((h).f1 - (h).f0) / len((h).f7))
     + ((wanted - (sums[k] - (h).f7[k])) / (h).f7[k]::DOUBLE) * ((h).f0 + k * ((h).f1 - (h).f0) / len((h).f7)) END`,
  `mm_quantile_at(h, wanted, sums) AS mm_quantile_in(h, wanted, sums,
     (list_filter(range(1, len((h).f7) + 1), lambda i: sums[i] >= wanted AND (h).f7[i] > 0))[1])`,
  `mm_histogram_quantile(h, share) AS CASE WHEN h IS NULL THEN NULL ELSE mm_quantile_at(h, (h).f6::DOUBLE * share, mm_running((h).f7)) END`,

  'mm_unlerp(a, b, x) AS ((x - a) / (b - a))',
  'mm_lerp(a, b, t) AS (a + (b - a) * t)',
  'mm_bin_center(v, size) AS (floor((v + size * 0.5e0) / size) * size)',
  'mm_byte(x) AS CAST(floor(greatest(0, least(255, x * 255e0 + 0.5e0))) AS UINTEGER)',
  'mm_pack(r, g, b, a) AS CAST(r * 16777216::UBIGINT + g * 65536::UBIGINT + b * 256::UBIGINT + a AS UINTEGER)',
  'mm_rgba(r, g, b, a) AS mm_pack(mm_byte(r), mm_byte(g), mm_byte(b), mm_byte(a))',
  'mm_channel(c, n) AS ((c::UBIGINT // n) % 256)',
  'mm_lerp_byte(a, b, t) AS CAST(floor(greatest(0, least(255, a + (b::DOUBLE - a) * t + 0.5e0))) AS UINTEGER)',
  `mm_lerp_color(a, b, t) AS mm_lerp_clamped(a, b, greatest(0, least(1, t)))`,
  `mm_lerp_clamped(a, b, t) AS CASE WHEN a IS NULL OR b IS NULL OR t IS NULL THEN NULL ELSE mm_pack(
     mm_lerp_byte(mm_channel(a, 16777216), mm_channel(b, 16777216), t), mm_lerp_byte(mm_channel(a, 65536), mm_channel(b, 65536), t),
     mm_lerp_byte(mm_channel(a, 256), mm_channel(b, 256), t), mm_lerp_byte(mm_channel(a, 1), mm_channel(b, 1), t)) END`,

  // The smallest hashes of all values: as many as a sketch of the reference has registers.
  "mm_sketch(hashes) AS CASE WHEN len(hashes) > 0 THEN encode(array_to_string(list_sort(list_distinct(hashes)), ' ')) END",
  "mm_sketch_hashes(s) AS list_transform(string_split(decode(s), ' '), lambda h: CAST(h AS UBIGINT))",
  'mm_merge_sketches(l) AS mm_sketch(list_slice(list_sort(list_distinct(flatten(list_transform(list_filter(l, lambda s: s IS NOT NULL), lambda s: mm_sketch_hashes(s))))), 1, 16384))',
  `mm_count_hashes(h) AS CASE WHEN len(h) < 16384 THEN CAST(len(h) AS UBIGINT)
     ELSE CAST(16383e0 / (list_last(h)::DOUBLE / 18446744073709551615e0) AS UBIGINT) END`,
  'mm_sketch_size(s) AS CASE WHEN s IS NOT NULL THEN mm_count_hashes(mm_sketch_hashes(s)) END',
]
