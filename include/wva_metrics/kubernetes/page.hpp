// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// A page of a list.
template <typename T>
struct Page {
    /// The objects that could be read, in the server's order.
    std::vector<T> objects;
    /// Requests the next page; empty on the last page.
    std::string continue_token;
    /// The resource version of the list. A watch can start from it.
    std::string resource_version;
    /// The objects that could not be read and are left out.
    UnreadableObjects unreadable;
    /// About how much memory the objects take, in bytes.
    std::size_t held_bytes = 0;
};

} // namespace wva_metrics::kubernetes
