// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/detail/metric_list.hpp"
#include "wva_metrics/orca/orca_metric.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::orca::detail {

/// Reads the fields of one protobuf message.
class MessageReader {
public:
    explicit MessageReader(std::string_view bytes) noexcept : bytes_(bytes) {}

    /// One field: its number, its wire type and its payload.
    struct Field {
        std::uint64_t number = 0;
        unsigned type = 0;
        /// Of the wire types with a length or a fixed size; a varint has been read past.
        std::string_view payload{};
    };

    bool at_end() const noexcept { return bytes_.empty(); }

    /// The next field, or empty if the bytes are none.
    std::optional<Field> next() noexcept {
        std::uint64_t key = 0;
        if (!take_varint(key) || key >> 3U == 0)
            return std::nullopt;
        Field field{key >> 3U, static_cast<unsigned>(key & 7U), {}};
        std::uint64_t size = 0;
        switch (field.type) {
        case 0:
            return take_varint(size) ? std::optional(field) : std::nullopt;
        case 1:
            size = 8;
            break;
        case 2:
            if (!take_varint(size))
                return std::nullopt;
            break;
        case 5:
            size = 4;
            break;
        default:
            return std::nullopt;
        }
        if (size > bytes_.size())
            return std::nullopt;
        field.payload = bytes_.substr(0, static_cast<std::size_t>(size));
        bytes_.remove_prefix(static_cast<std::size_t>(size));
        return field;
    }

private:
    bool take_varint(std::uint64_t& value) noexcept {
        value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            if (bytes_.empty())
                return false;
            const auto byte = static_cast<unsigned char>(bytes_.front());
            bytes_.remove_prefix(1);
            // The tenth byte has room for one bit only.
            if (shift == 63 && byte > 1)
                return false;
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80)
                return true;
        }
        return false;
    }

    std::string_view bytes_;
};

inline double read_double(std::string_view eight) noexcept {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i)
        bits |= std::uint64_t{static_cast<unsigned char>(eight[i])} << (8 * i);
    return std::bit_cast<double>(bits);
}

/// One entry of a map from names to numbers. An absent value is 0, as in every protobuf map.
inline std::optional<OrcaMetric> read_map_entry(std::string_view bytes, OrcaField field) noexcept {
    OrcaMetric metric{.field = field};
    for (MessageReader reader(bytes); !reader.at_end();) {
        const std::optional<MessageReader::Field> part = reader.next();
        if (!part)
            return std::nullopt;
        if (part->number == 1 && part->type == 2)
            metric.name = part->payload;
        else if (part->number == 2 && part->type == 1)
            metric.value = read_double(part->payload);
        else if (part->number <= 2)
            return std::nullopt;
    }
    return wva_metrics::detail::is_valid_utf8(metric.name) ? std::optional(metric) : std::nullopt;
}

/// The field of `xds.data.orca.v3.OrcaLoadReport` with this number; empty for the deprecated `rps` (3)
/// and for fields that are newer than this reader.
constexpr std::optional<OrcaField> field_numbered(std::uint64_t number) noexcept {
    switch (number) {
    case 1:
        return OrcaField::cpu_utilization;
    case 2:
        return OrcaField::mem_utilization;
    case 4:
        return OrcaField::request_cost;
    case 5:
        return OrcaField::utilization;
    case 6:
        return OrcaField::rps_fractional;
    case 7:
        return OrcaField::eps;
    case 8:
        return OrcaField::named_metric;
    case 9:
        return OrcaField::application_utilization;
    default:
        return std::nullopt;
    }
}

/// Reads the message `xds.data.orca.v3.OrcaLoadReport`. The names refer to the bytes. An unknown field
/// is skipped, as protobuf does.
inline std::optional<Error> read_binary(std::string_view bytes, MetricList& list) {
    const auto broken = [] { return malformed("is not a protobuf OrcaLoadReport"); };
    for (MessageReader reader(bytes); !reader.at_end();) {
        const std::optional<MessageReader::Field> part = reader.next();
        if (!part)
            return broken();
        const std::optional<OrcaField> field = field_numbered(part->number);
        if (!field)
            continue;
        const bool is_map = *field >= OrcaField::named_metric;
        if (part->type != (is_map ? 2U : 1U))
            return broken();
        const std::optional<OrcaMetric> metric =
            is_map ? read_map_entry(part->payload, *field)
                   : std::optional(OrcaMetric{*field, {}, read_double(part->payload)});
        if (!metric)
            return broken();
        if (std::optional<Error> error = list.add(*metric))
            return error;
    }
    return std::nullopt;
}

} // namespace wva_metrics::orca::detail
