-- The kitchen book. Every statement may run again on a database that already has it.

create table if not exists dishes (
    id            int  primary key,
    name          text not null unique,
    price_cents   int  not null check (price_cents > 0),
    portions_left int  not null check (portions_left >= 0)
);

create table if not exists guests (
    id           int  primary key,
    name         text not null unique,
    credit_cents int  not null check (credit_cents >= 0)
);

create table if not exists orders (
    id         bigint generated always as identity primary key,
    guest_id   int not null references guests,
    dish_id    int not null references dishes,
    portions   int not null check (portions > 0),
    ordered_at timestamptz not null default now()
);
create index if not exists orders_by_guest on orders (guest_id);
create index if not exists orders_by_dish on orders (dish_id);

-- Who looked at the dashboard, and when.
create table if not exists looks (
    id        bigint generated always as identity primary key,
    looked_at timestamptz not null default now()
);

-- A query that takes as long as you say. First it passes the gate: while somebody holds advisory
-- lock 7 exclusively, it waits there (bench.Gate does this). The lock is a shared one and ends with
-- the statement's transaction, so any number of cooks pass an open gate together.
create or replace function cook(seconds float8) returns float8
language sql volatile
as $$
    select pg_advisory_xact_lock_shared(7);
    select pg_sleep(seconds);
    select seconds;
$$;

-- A query that needs one of the kitchen's two stoves (0 or 1) all the time it works. A stove is an
-- exclusive advisory lock, so two of these queries work at once, on any machine: a database with
-- two cores. It passes the gate with the stove in its hands.
create or replace function fry(stove int, seconds float8) returns float8
language sql volatile
as $$
    select pg_advisory_xact_lock(100 + stove);
    select cook(seconds);
$$;
