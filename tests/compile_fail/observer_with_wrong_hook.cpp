// expect: CollectorObserver.*observer.on_hit.lookup
// SPDX-License-Identifier: Apache-2.0
//
// A hook with the wrong parameters is refused rather than never called, and the compiler names it.
#include "wva_metrics/observer/observer.hpp"

using namespace wva_metrics;

struct CountsHits : NullObserver {
    void on_hit(const CacheKeyView&);
};

static_assert(CollectorObserver<CountsHits>);
