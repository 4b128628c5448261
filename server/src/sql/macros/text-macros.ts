/** Texts and JSON. JSONB is JSON text with sorted keys here. */
export const TEXT_MACROS: readonly string[] = [
  // Positions before the first character count, as in Postgres.
  'mm_substr(t, start) AS substr(t, greatest(start, 1))',
  `mm_substr_for(t, start, n) AS CASE WHEN n < 0 THEN error('exec:negative substring length not allowed: substr(<str>, ' || CAST(start AS VARCHAR) || ', ' || CAST(n AS VARCHAR) || ')')
     ELSE substr(t, greatest(start, 1), greatest(least(start + n, 9223372036854775807) - greatest(start, 1), 0)) END`,
  `mm_split_part(t, s, n) AS CASE WHEN t IS NULL OR s IS NULL OR n IS NULL THEN NULL
     WHEN n = 0 THEN error('exec:field position must not be zero')
     WHEN s = '' THEN CASE WHEN n IN (1, -1) THEN t ELSE '' END
     ELSE coalesce((string_split(t, s))[n], '') END`,
  `mm_substr_index(t, s, n) AS CASE WHEN t IS NULL OR s IS NULL OR n IS NULL THEN NULL
     WHEN s = '' OR n = 0 THEN ''
     WHEN n > 0 THEN array_to_string(list_slice(string_split(t, s), 1, n), s)
     ELSE array_to_string(list_slice(string_split(t, s), greatest(len(string_split(t, s)) + n + 1, 1), len(string_split(t, s))), s) END`,
  "mm_overlay(t, other, start, n) AS (left(t, start - 1) || other || coalesce(substr(t, greatest(start + n, 1)), ''))",
  "mm_replace(t, a, b) AS CASE WHEN a = '' AND b IS NOT NULL THEN t ELSE replace(t, a, b) END",
  "mm_characters(t) AS CASE WHEN t IS NULL THEN NULL WHEN t = '' THEN CAST([] AS VARCHAR[]) ELSE string_split(t, '') END",
  "mm_string_to_array(t, s) AS CASE WHEN t IS NULL OR s IS NULL THEN NULL WHEN t = '' THEN CAST([] AS VARCHAR[]) WHEN s = '' THEN [t] ELSE string_split(t, s) END",
  "mm_initcap(t) AS CASE WHEN t = '' THEN '' ELSE array_to_string(list_transform(regexp_extract_all(t, '([\\p{L}\\p{N}]+|[^\\p{L}\\p{N}]+)'), lambda w: upper(w[1]) || lower(w[2:])), '') END",
  // Where the n-th match begins: after what a longer pattern finds before it.
  "mm_regexp_instr(t, p, start, n) AS mm_nth_start(substr(t, start), '^((?s:.*?)(?:(?:' || p || ')(?s:.*?)){' || CAST(n - 1 AS VARCHAR) || '})(?:' || p || ')', start)",
  'mm_nth_start(t, q, start) AS CASE WHEN regexp_matches(t, q) THEN CAST(start + length(regexp_extract(t, q, 1)) AS BIGINT) WHEN t IS NOT NULL AND q IS NOT NULL THEN 0::BIGINT END',
  'mm_regexp_count(t, p) AS CAST(len(regexp_extract_all(t, p)) AS BIGINT)',
  // $1 and ${1} mean a group there, \\1 here.
  "mm_replacement(r) AS regexp_replace(regexp_replace(r, '\\$\\{([0-9]+)\\}', '\\\\\\1', 'g'), '\\$([0-9]+)', '\\\\\\1', 'g')",
  "mm_from_base64(t) AS from_base64(t || repeat('=', CAST((4 - length(t) % 4) % 4 AS BIGINT)))",

  "mm_pointer(name) AS ('/' || replace(replace(name, '~', '~0'), '/', '~1'))",
  "mm_json_exact(j, name) AS CASE WHEN json_type(j) = 'OBJECT' THEN json_extract(j, mm_pointer(name)) END",
  "mm_json_anycase(j, name) AS CASE WHEN json_type(j) = 'OBJECT' THEN json_extract(j, mm_pointer((list_filter(json_keys(j), lambda k: lower(k) = lower(name)))[1])) END",
  'mm_json_get(j, name) AS CAST(coalesce(mm_json_exact(j, name), CASE WHEN contains(lower(j), lower(name)) THEN mm_json_anycase(j, name) END) AS VARCHAR)',
  "mm_json_text(v) AS CASE WHEN json_type(v) = 'VARCHAR' THEN json_extract_string(v, '$') ELSE CAST(v AS VARCHAR) END",
  'mm_property_get(j, name) AS mm_json_text(mm_json_get(j, name))',
  "mm_json_length(j) AS CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'OBJECT' THEN len(json_keys(j)) ELSE 0 END",
  "mm_json_as_string(j) AS CASE WHEN json_type(j) = 'VARCHAR' THEN json_extract_string(j, '$') END",
  "mm_json_as_f64(j) AS CASE WHEN json_type(j) IN ('BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT') THEN CAST(j AS DOUBLE) END",
  "mm_json_as_i64(j) AS CASE WHEN json_type(j) IN ('BIGINT', 'UBIGINT') THEN TRY_CAST(j AS BIGINT) WHEN json_type(j) = 'DOUBLE' AND CAST(j AS DOUBLE) = trunc(CAST(j AS DOUBLE)) THEN TRY_CAST(CAST(j AS DOUBLE) AS BIGINT) END",
  "mm_json_array_length(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END",
  "mm_json_keys(j) AS CASE WHEN json_type(j) = 'OBJECT' THEN json_keys(j) END",
  "mm_json_elements(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN list_transform(range(0, CAST(json_array_length(j) AS BIGINT)), lambda i: CAST(json_extract(j, '/' || CAST(i AS VARCHAR)) AS VARCHAR)) END",
  `mm_json_entries(j) AS CASE json_type(j)
     WHEN 'OBJECT' THEN list_transform(json_keys(j), lambda k: struct_pack(f0 := k, f1 := CAST(json_extract(j, mm_pointer(k)) AS VARCHAR)))
     WHEN 'ARRAY' THEN list_transform(range(0, CAST(json_array_length(j) AS BIGINT)), lambda i: struct_pack(f0 := CAST(i AS VARCHAR), f1 := CAST(json_extract(j, '/' || CAST(i AS VARCHAR)) AS VARCHAR))) END`,
]
