// expect: CollectorObserver.*handles_an_event
// SPDX-License-Identifier: Apache-2.0
//
// An observer of a type that is not an event is refused, also when a collector is made with it.
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

using namespace wva_metrics;

struct Hit {};

struct CountsHits {
    void operator()(const Hit&);
};

using Made = Collector<testing::FakeBackend<>, NoOpCache, CountsHits>;
