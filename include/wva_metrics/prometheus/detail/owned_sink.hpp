// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"

#include <memory>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// A sink of any type, so that the decoder, which is large, is compiled for one.
class OwnedSink {
public:
    template <SeriesSink Sink>
    explicit OwnedSink(Sink sink)
        : sink_(std::make_shared<Sink>(std::move(sink))),
          call_([](void* owned, const SeriesView& series) {
              (*static_cast<Sink*>(owned))(series);
          }) {}

    void operator()(const SeriesView& series) const { call_(sink_.get(), series); }

private:
    std::shared_ptr<void> sink_;
    void (*call_)(void*, const SeriesView&);
};

} // namespace wva_metrics::prometheus::detail
