// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/object_sax.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// Maximum nesting depth of a cluster object, because the parser recurses. Custom resources may nest
/// deeper than built-in ones.
inline constexpr std::size_t max_json_depth = 128;

/// Parses one object or watch event after the other, and keeps the wanted fields of the last one.
/// Not thread-safe.
class ObjectParser {
public:
    ObjectParser(const WantedFields& wanted, TextOf text, std::size_t max_values)
        : max_values_(max_values), parser_(options(), wanted, text, max_values) {}
    ObjectParser(const ObjectParser&) = delete;
    ObjectParser& operator=(const ObjectParser&) = delete;

    /// The value is valid until the next call.
    ///
    /// **Errors:**
    /// - `too_large`: the object exceeds a limit, which the text names: `it nests deeper than...`,
    /// - `bad_response`: the text is not one JSON value: `is not valid JSON: ...`.
    Result<const boost::json::value*> parse(std::string_view text) {
        value_.reset();
        ObjectSax& sax = parser_.handler();
        sax.clear();
        // A new one, because a used one would ask for ever larger blocks.
        sax.begin(&memory_.emplace(buffer_.data(), buffer_.size()));
        parser_.reset();
        boost::system::error_code error;
        const std::size_t used = parser_.write_some(false, text.data(), text.size(), error);
        if (error == boost::json::error::too_deep)
            return Error(Errc::too_large,
                         "it nests deeper than " + std::to_string(max_json_depth) + " levels");
        if (sax.has_too_many_values())
            return Error(Errc::too_large, "it has more than max_object_values = " +
                                              std::to_string(max_values_) + " JSON values");
        if (!error && used < text.size())
            error = boost::json::error::extra_data;
        if (error)
            return Error(Errc::bad_response, "is not valid JSON: " + error.message());
        return &value_.emplace(sax.release());
    }

private:
    static boost::json::parse_options options() {
        boost::json::parse_options options;
        options.max_depth = max_json_depth;
        return options;
    }

    const std::size_t max_values_;
    /// Most objects fit into it.
    std::array<unsigned char, 8192> buffer_{};
    /// Freed in one step, after the value in it.
    std::optional<boost::json::monotonic_resource> memory_;
    boost::json::basic_parser<ObjectSax> parser_;
    std::optional<boost::json::value> value_;
};

} // namespace wva_metrics::kubernetes::detail
