-- Eight dishes and sixty guests, always with the same numbers.

insert into dishes (id, name, price_cents, portions_left) values
    (1, 'Onion soup',        650, 40),
    (2, 'Mushroom risotto', 1350, 25),
    (3, 'Lentil stew',      1100, 30),
    (4, 'Roast chicken',    1650, 20),
    (5, 'Grilled trout',    1900, 10),
    (6, 'Potato gratin',     950, 35),
    (7, 'Apple tart',        600, 16),
    (8, 'Chocolate mousse',  700, 12)
on conflict do nothing;

insert into guests (id, name, credit_cents)
select number, 'Guest ' || number, 10000 from generate_series(1, 60) as number
on conflict do nothing;
