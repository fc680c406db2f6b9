"""What counts, holds, records and asks: gates, clocks, traces of the loop, the wire, clients."""
