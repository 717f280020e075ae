// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <string_view>

namespace wva_metrics::http {

/// What an error message says if the header of an answer exceeds `Limits::max_header_bytes`.
inline constexpr std::string_view header_too_large_text = "the answer's header";

/// True if the header of an answer was too large (`Errc::too_large`), not its body. To ask for less
/// does not help then: the limit has to be raised, or what a proxy adds to answers has to go.
inline bool is_header_too_large(const Error& error) noexcept {
    return error.is(Errc::too_large) &&
           error.message.find(header_too_large_text) != std::string::npos;
}

} // namespace wva_metrics::http
