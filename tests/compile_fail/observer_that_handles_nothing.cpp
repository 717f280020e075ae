// expect: CollectorObserver.*handles_an_event
// SPDX-License-Identifier: Apache-2.0
//
// An observer that handles no event is refused: here the parameter is a non-const reference.
#include "wva_metrics/observer/observer.hpp"

using namespace wva_metrics;

struct CountsHits {
    void operator()(events::Hit&);
};

static_assert(CollectorObserver<CountsHits>);
