// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/metric_expander.hpp"
#include "wva_metrics/exposition/detail/protobuf_metric.hpp"
#include "wva_metrics/exposition/detail/wire_reader.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/page_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// The fields of a family that come before its metrics.
struct FamilyHead {
    std::string name{};
    /// The number of the type. That of a counter is 0, which some senders leave out.
    std::uint64_t type = 0;
    bool has_type = false;

    void clear() noexcept {
        name.clear();
        type = 0;
        has_type = false;
    }
    /// Notes a field.
    void read(WireReader& reader) {
        if (reader.number == 1) {
            name = reader.as_bytes();
        } else if (reader.number == 3) {
            type = reader.as_unsigned();
            has_type = true;
        }
    }
    FamilyType family_type() const noexcept {
        switch (type) {
        case 0:
            return FamilyType::counter;
        case 1:
            return FamilyType::gauge;
        case 2:
            return FamilyType::summary;
        case 4:
            return FamilyType::histogram;
        case 5:
            return FamilyType::gauge_histogram;
        default:
            return FamilyType::unknown;
        }
    }
};

/// The number of the field of a family that holds a metric.
inline constexpr std::uint64_t metric_field = 4;

/// Reads the metrics of one family, and passes their samples on.
class ProtobufFamily {
public:
    /// Why the family cannot be read; null if it can.
    const char* problem = nullptr;
    const char* bound = nullptr; ///< The bound that was exceeded; null if none was.
    std::size_t most = 0;        ///< Its value.

    /// False if it cannot be read.
    bool read(std::string_view family, const FamilyHead& head, MetricExpander& expander,
              const PageLimits& limits) {
        problem = bound = nullptr;
        const FamilyType type = head.family_type();
        const ProtobufMetric::Kind kind = kind_of(type);
        WireReader reader(family);
        while (problem == nullptr && reader.next()) {
            if (reader.number != metric_field)
                continue;
            if (!metric_.read(reader.as_bytes(), kind, limits))
                refuse(metric_.problem, metric_.bound, metric_.most);
            else if (!expander.pass_on(head.name, type, metric_))
                refuse(expander.problem, expander.bound, expander.most);
        }
        if (problem == nullptr)
            problem = reader.problem;
        return problem == nullptr;
    }

private:
    void refuse(const char* what, const char* name_of_bound, std::size_t limit) {
        problem = what;
        bound = name_of_bound;
        most = limit;
    }
    static constexpr ProtobufMetric::Kind kind_of(FamilyType type) noexcept {
        switch (type) {
        case FamilyType::counter:
            return ProtobufMetric::counter;
        case FamilyType::gauge:
            return ProtobufMetric::gauge;
        case FamilyType::summary:
            return ProtobufMetric::summary;
        case FamilyType::histogram:
        case FamilyType::gauge_histogram:
            return ProtobufMetric::histogram;
        default:
            return ProtobufMetric::untyped;
        }
    }

    ProtobufMetric metric_{};
};

} // namespace wva_metrics::exposition::detail
