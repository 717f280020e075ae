// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// How deep an object of a cluster may nest; what people define themselves can go deeper than what
/// the API has of its own.
inline constexpr std::size_t max_json_depth = 128;

/// JSON with the memory that it lies in.
struct ParsedJson {
    /// Freed at once, after the value.
    std::unique_ptr<boost::json::monotonic_resource> memory;
    /// What the text says.
    boost::json::value value;
};

/// Parses a text that must be one JSON value. The error reads `is no JSON: ...`.
inline Result<ParsedJson> parse_json(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = max_json_depth;
    auto memory = std::make_unique<boost::json::monotonic_resource>();
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(text, error, memory.get(), options);
    if (error)
        return Error(Errc::bad_response, "is no JSON: " + error.message());
    return ParsedJson{std::move(memory), std::move(value)};
}

} // namespace wva_metrics::kubernetes::detail
