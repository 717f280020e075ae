// SPDX-License-Identifier: Apache-2.0
#pragma once

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
    /// Number of objects that could not be read and are omitted.
    std::size_t unreadable = 0;
    /// The problem of the first unreadable object.
    std::string first_problem;
};

} // namespace wva_metrics::kubernetes
