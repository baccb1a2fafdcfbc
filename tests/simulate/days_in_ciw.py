"""Several days of one queue in Ciw, for comparison: the same model as the load file that ciw.rs writes.

    days_in_ciw.py JSON

JSON: agents, emergency and routine (calls a minute), talk and patience ([mu, sigma] of the logarithm of minutes; patience
may be null), minutes, count_from, days. Prints, for each band, the mean wait of those who were served in minutes and the
share of those who gave up, one value for each day.
"""

import json
import sys

import ciw


def day(model, seed):
    ciw.seed(seed)
    bands = [band for band in ("emergency", "routine") if model[band] > 0]
    talk = ciw.dists.Lognormal(*model["talk"])
    patience = model["patience"] and ciw.dists.Lognormal(*model["patience"])
    network = ciw.create_network(
        arrival_distributions={band: [ciw.dists.Exponential(model[band])] for band in bands},
        service_distributions={band: [talk] for band in bands},
        reneging_time_distributions={band: [patience] for band in bands},
        priority_classes={band: priority for priority, band in enumerate(bands)},
        number_of_servers=[model["agents"]],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(model["minutes"] + 60)
    counted = [
        record
        for record in simulation.get_all_records()
        if model["count_from"] <= record.arrival_date < model["minutes"]
    ]
    result = {}
    for band in bands:
        served = [r.waiting_time for r in counted if r.customer_class == band and r.record_type == "service"]
        reneged = sum(r.customer_class == band and r.record_type == "renege" for r in counted)
        result[band] = (sum(served) / len(served), reneged / (len(served) + reneged))
    return result


def main():
    model = json.loads(sys.argv[1])
    days = [day(model, seed) for seed in range(model["days"])]
    print(json.dumps({
        band: {"mean": [d[band][0] for d in days], "abandoned": [d[band][1] for d in days]} for band in days[0]
    }))


main()
