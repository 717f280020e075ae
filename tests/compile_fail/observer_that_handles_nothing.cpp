// expect: CollectorObserver.*handles_an_event
// SPDX-License-Identifier: Apache-2.0
//
// An observer without a call operator is refused: a named function is never called.
#include "wva_metrics/observer/observer.hpp"

using namespace wva_metrics;

struct CountsHits {
    void on_hit(const events::Hit&);
};

static_assert(CollectorObserver<CountsHits>);
