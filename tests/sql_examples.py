"""One way to write each function that SQL may use, over the events of a small world."""

EXAMPLES = tuple(
    """
select abs(place), ceil(1.5), floor(1.5), round(1.234, 1), sign(-2), sqrt(4), cbrt(8), exp(1)

select ln(2), log(10), pow(2, 3), trunc(1.5), 7 // 2, 7 % 2, 2 ** 3, -place, place + 1 - 1 * 1 / 1

select any_value(event), approx_count_distinct(event), arg_max(event, place), arg_min(event,
place)

select avg(place), bool_and(true), bool_or(false), corr(place, place), count(*), count(event),
count_if(true)

select covar_pop(place, place), covar_samp(place, place), first(event), last(event), max(place),
min(place)

select max_by(event, place), min_by(event, place), median(place), mode(event), product(place),
sem(place)

select quantile_cont(place, 0.5), quantile_disc(place, 0.5), regr_slope(place, place),
stddev(place)

select stddev_pop(place), stddev_samp(place), sum(place), variance(place), var_pop(place),
var_samp(place)

select string_agg(event, ',' order by event), count(distinct event), sum(place) filter (where
place > 0)

select coalesce(event, 'x'), nullif(event, 'x'), greatest(1, 2), least(1, 2), if(place > 0, 1, 2)

select case when place is null then 1 when place in (1, 2) then 2 else 3 end, case event when 'x'
then 1 end

select concat(event, 'x'), concat_ws(',', event, 'x'), event || 'x', contains(event, 'e')

select ends_with(event, 'e'), left(event, 1), length(event), len(event), lower(event),
right(event, 1)

select replace(event, 'e', 'a'), reverse(event), split_part(event, 'e', 1), starts_with(event,
's')

select position('e' in event), strpos(event, 'e'), instr(event, 'e'), substring(event, 1, 2),
event[1:2], event[1]

select trim(event), ltrim(event), rtrim(event), trim(both 's' from event), upper(event)

select regexp_extract(event, 's'), regexp_extract(event, '(s)', 1), regexp_full_match(event, 's'),
regexp_matches(event, 's')

select regexp_replace(event, 's', 't'), regexp_replace(event, 's', 't', 'g'), event ~ 's'

select event like 's%', event ilike 's%', event not like 's%', event like 'a!%' escape '!', event
between 'a' and 'z'

select event is distinct from 'x', event is not distinct from 'x', not true, true and false or
true, place <> 1

select (place, 1) = (1, 1), properties -> '$.a[0]', (place) = 1, place < 1, place <= 1, place > 1,
place >= 1, event is null, event is not null, event not in ('x')

select properties -> '$.price', properties ->> '$.price', json_extract(properties, '$.price')

select json_extract_string(properties, '$.price'), json_type(properties), properties ->> 'price'

select date_part('hour', event_time), date_sub('day', event_time, event_time), date_trunc('week',
event_time)

select date_diff('day', event_time, event_time), datediff('day', event_time, event_time),
date_trunc('day', event_time::date)

select date_add(event_time, interval 1 day), event_time + interval '2 hours', event_time -
event_time, event_time::date - 1

select time_bucket(interval '1 hour', event_time), extract(dow from event_time), make_date(2026,
1, 2), last_day(event_time)

select year(event_time), quarter(event_time), month(event_time), week(event_time),
weekofyear(event_time), day(event_time)

select dayofmonth(event_time), dayofweek(event_time), isodow(event_time), dayofyear(event_time),
weekday(event_time), yearweek(event_time)

select hour(event_time), minute(event_time), second(event_time), dayname(event_time),
monthname(event_time)

select epoch(event_time), epoch_ms(event_time), to_timestamp(1), strftime(event_time, '%Y'),
strptime('2026', '%Y')

select try_strptime('x', '%Y'), current_date, current_timestamp, now(), event_time at time zone
'Europe/Berlin'

select cast(place as varchar), place::decimal(5, 2), try_cast(event as int), place::double, date
'2026-01-01', timestamp '2026-01-01 00:00:00'

select row_number() over (order by place), rank() over w, dense_rank() over w, percent_rank() over
w, cume_dist() over w

select ntile(2) over w, lag(event) over w, lead(event, 1, 'x') over w, first_value(event) over w,
last_value(event) over w

select nth_value(event, 1) over w, sum(place) over (partition by event order by place rows between
1 preceding and current row)

select first_value(event ignore nulls) over w, lag(event ignore nulls) over w

select exists (select 1), place = any (select 1), place in (select 1), (select max(place) from
sessions_)
""".strip().split("\n\n")
)
"""Questions that miss their FROM: see `whole`."""


def whole(example: str) -> str:
    """Return an example as a question over events."""
    head = "with sessions_ as (select 1 as place) "
    tail = " window w as (partition by source order by place)" if " over w" in example else ""
    return f"{head}{example} from events{tail}"
