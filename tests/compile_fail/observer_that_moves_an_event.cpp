// expect: CollectorObserver.*takes_events_by_const_reference
// SPDX-License-Identifier: Apache-2.0
//
// An observer with a handler that could never be called is refused, though it has another one: here
// the parameter is an rvalue reference.
#include "wva_metrics/observer/observer.hpp"

using namespace wva_metrics;

struct CountsLookups {
    void operator()(const events::Hit&);
    void operator()(events::Miss&&);
};

static_assert(CollectorObserver<CountsLookups>);
