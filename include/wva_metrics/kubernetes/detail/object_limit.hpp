// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client_config.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// How many bytes of one object are kept. An object that exceeds a page counts as too large also
/// where it arrives alone, so that a list and a watch know the same.
class ObjectLimit {
public:
    explicit ObjectLimit(const ClientConfig& config)
        : name_(config.max_object_bytes <= config.max_page_bytes ? "max_object_bytes"
                                                                 : "max_page_bytes"),
          bytes_(config.max_object_bytes <= config.max_page_bytes ? config.max_object_bytes
                                                                  : config.max_page_bytes) {}

    std::size_t bytes() const noexcept { return bytes_; }
    /// E.g. `more than max_object_bytes = 4194304 bytes`.
    std::string exceeded() const {
        return "more than " + std::string(name_) + " = " + std::to_string(bytes_) + " bytes";
    }

private:
    std::string_view name_;
    std::size_t bytes_;
};

} // namespace wva_metrics::kubernetes::detail
