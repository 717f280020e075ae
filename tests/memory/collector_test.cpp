// SPDX-License-Identifier: Apache-2.0
//
// A collector whose allocations fail, at each place.
#include "memory/allocations.hpp"
#include "memory/spare_asio.hpp"
#include "support/counted_calls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <catch2/catch_all.hpp>

#include <functional>
#include <memory>
#include <new>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

const ModelKey model_of_short_memory{"llm", "meta/llama"};

struct ShortMemory : CountedCalls {
    using CollectorType = Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>;

    ShortMemory() {
        spare_asio(io);
        backend.set(optimizer_metrics("v", 60));
        backend.set(replica_samples(model_of_short_memory, {"llama-1-a", "llama-1-b"}));
    }
    ~ShortMemory() {
        collector.reset();
        settle();
        allocations.failing = -1;
        allocations.spared_after = 0;
    }

    void collect(const std::string& name = "v") {
        begin([&] { collector->async_collect_optimizer_metrics(variant(name), counter()); });
    }
    void collect_replicas() {
        begin([&] {
            collector->async_collect_replica_metrics(model_of_short_memory, {variant("v")},
                                                     counter());
        });
    }
    void check_availability() {
        begin([&] { collector->async_validate_availability(model_of_short_memory, counter()); });
    }

    ManualBackend backend;
    std::unique_ptr<CollectorType> collector =
        std::make_unique<CollectorType>(io.get_executor(), backend);
};

using Step = std::function<void(ShortMemory&)>;

/// Does it again and again, each time with a new collector and one more allocation that succeeds,
/// until none fails. One fails each time: Asio's own coroutines do not survive several.
void fail_at_every_allocation(const Step& prepare, const Step& act, const Step& check = {}) {
    for (int succeed = 0;; ++succeed) {
        CAPTURE(succeed);
        REQUIRE(succeed < 5000);
        ShortMemory f;
        prepare(f);
        allocations.failed = 0;
        allocations.failing = 1;
        allocations.allowed = succeed;
        try {
            act(f);
        } catch (const std::bad_alloc&) {
        }
        allocations.allowed = -1;
        if (f.collector) {
            f.settle();
            f.advance(10s); // What was lost inside Asio is noticed at the deadline.
            f.advance(2s);  // negative_ttl
            if (check)
                check(f);
            const int values = f.values;
            const int ended = f.ended;
            f.collect();
            f.collect("another");
            f.collect_replicas();
            f.check_availability();
            f.settle();
            REQUIRE(f.values >= values + 4);
            REQUIRE(f.ended >= ended + 4);
            REQUIRE(f.collector->stats().in_flight == 0);
        }
        f.settle();
        REQUIRE(f.ended == f.begun);
        if (allocations.failed == 0)
            return;
    }
}

void know_everything(ShortMemory& f) {
    f.collect();
    f.collect_replicas();
    f.check_availability();
    f.settle();
    REQUIRE(f.values == 3);
}
void nothing_is_lost(ShortMemory& f) {
    REQUIRE(f.collector->find_optimizer_metrics({"llm", "v"}).has_value());
    REQUIRE(f.collector->find_replica_metrics(model_of_short_memory, {}).has_value());
}

} // namespace

TEST_CASE("wherever an allocation of a miss fails, each call ends once, and the next one works") {
    const Step nothing = [](ShortMemory&) {};
    SECTION("of a variant, and of one that joins") {
        fail_at_every_allocation(nothing, [](ShortMemory& f) {
            f.collect();
            f.collect();
            f.settle();
        });
    }
    SECTION("of a model") {
        fail_at_every_allocation(nothing, [](ShortMemory& f) {
            f.collect_replicas();
            f.settle();
        });
    }
    SECTION("of an availability") {
        fail_at_every_allocation(nothing, [](ShortMemory& f) {
            f.check_availability();
            f.settle();
        });
    }
    SECTION("of several, whose answers come later") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                f.backend.hold();
                f.collect();
                f.collect("another");
                f.collect_replicas();
                f.settle();
            },
            [](ShortMemory& f) {
                f.backend.release();
                f.settle();
            },
            [](ShortMemory& f) { f.backend.release(); });
    }
    SECTION("that times out") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                f.backend.hold();
                f.collect();
                f.settle();
            },
            [](ShortMemory& f) { f.advance(10s); },
            [](ShortMemory& f) {
                f.backend.release();
                f.advance(2s);
            });
    }
    SECTION("that is cancelled") {
        boost::asio::cancellation_signal signal;
        fail_at_every_allocation(
            [&](ShortMemory& f) {
                f.backend.hold();
                f.begin([&] {
                    f.collector->async_collect_optimizer_metrics(
                        variant("v"),
                        boost::asio::bind_cancellation_slot(signal.slot(), f.counter()));
                });
                f.settle();
            },
            [&](ShortMemory& f) {
                signal.emit(boost::asio::cancellation_type::terminal);
                f.settle();
            },
            [](ShortMemory& f) {
                f.backend.release();
                f.settle();
            });
    }
    SECTION("whose collector is destroyed") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                f.backend.hold();
                f.collector->start_background_fetching();
                f.collect();
                f.collect_replicas();
                f.settle();
            },
            [](ShortMemory& f) {
                f.collector.reset();
                f.settle();
            });
    }
}

TEST_CASE("wherever an allocation of a hit fails, nothing that is known is lost") {
    const auto collect_all = [](ShortMemory& f) {
        f.collect();
        f.collect_replicas();
        f.check_availability();
        f.settle();
    };
    SECTION("fresh") {
        fail_at_every_allocation(know_everything, collect_all, nothing_is_lost);
    }
    SECTION("stale, and fetched again") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                know_everything(f);
                f.advance(40s);
            },
            [&](ShortMemory& f) {
                collect_all(f);
                f.collector->find_optimizer_metrics({"llm", "v"});
            },
            nothing_is_lost);
    }
    SECTION("the last good value of a backend that fails") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                know_everything(f);
                f.backend.fail(Error(Errc::unavailable, "scripted, with a text that needs memory"));
                f.advance(2min);
            },
            collect_all,
            [](ShortMemory& f) {
                f.collect();
                f.collect_replicas();
                f.settle();
                nothing_is_lost(f);
                f.backend.recover();
                f.advance(2s);
            });
    }
}

TEST_CASE("wherever an allocation of a round fails, rounds go on or it is told that they do not") {
    fail_at_every_allocation(
        [](ShortMemory& f) {
            know_everything(f);
            f.collector->start_background_fetching();
            f.settle();
        },
        [](ShortMemory& f) {
            f.advance(16s);
            f.advance(16s);
        },
        [](ShortMemory& f) {
            nothing_is_lost(f);
            if (!f.collector->health().background_running)
                REQUIRE(f.collector->start_background_fetching());
            const auto rounds = f.collector->stats().background_rounds;
            for (int i = 0; i < 4; ++i)
                f.advance(16s);
            REQUIRE(f.collector->stats().background_rounds >= rounds + 2);
            nothing_is_lost(f);
        });
}

TEST_CASE("wherever an allocation of tracking or an invalidation fails, it can be repeated") {
    SECTION("start and stop") {
        fail_at_every_allocation(know_everything, [](ShortMemory& f) {
            f.collector->start_background_fetching();
            f.collector->stop_background_fetching();
        });
    }
    SECTION("handles") {
        fail_at_every_allocation(
            know_everything,
            [](ShortMemory& f) {
                const VariantHandle handle = f.collector->handle(variant("v"));
                const ModelHandle model = f.collector->handle(model_of_short_memory);
                f.collector->visit(handle, [](const OptimizerView&) {});
                f.collector->visit(model, {}, [](const ReplicaView&) {});
                f.begin([&] { f.collector->async_collect(handle, f.counter()); });
            },
            [](ShortMemory& f) {
                REQUIRE(f.collector->stats().handles == 0);
                nothing_is_lost(f);
            });
    }
    SECTION("track and untrack") {
        fail_at_every_allocation(
            know_everything,
            [](ShortMemory& f) {
                f.collector->track(variant("another"));
                f.collector->untrack(VariantKey{"llm", "another"});
            },
            [](ShortMemory& f) {
                REQUIRE(f.collector->track(variant("another")));
                REQUIRE(f.collector->stats().tracked_variants == 2);
                f.collector->untrack(VariantKey{"llm", "another"});
                REQUIRE(f.collector->stats().tracked_variants == 1);
                nothing_is_lost(f);
            });
    }
    SECTION("invalidations, while fetches are in flight") {
        fail_at_every_allocation(
            [](ShortMemory& f) {
                know_everything(f);
                f.backend.hold();
                f.advance(2min);
                f.collect();
                f.collect_replicas();
                f.settle();
            },
            [](ShortMemory& f) {
                f.collector->invalidate_variant(variant("v"));
                f.collector->invalidate_model(model_of_short_memory);
                f.collector->invalidate_prefix("replica:llm/");
            },
            [](ShortMemory& f) {
                f.backend.release();
                f.settle();
                f.collector->invalidate_model(model_of_short_memory);
                REQUIRE(!f.collector->find_optimizer_metrics({"llm", "v"}));
            });
    }
}
