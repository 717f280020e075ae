// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace wva_metrics::detail {

/// After this the next `push_back` does not throw. Doubles the capacity, as `push_back` does.
template <typename T>
void make_room(std::vector<T>& vector) {
    if (vector.size() == vector.capacity())
        vector.reserve(2 * vector.size() + 1);
}

} // namespace wva_metrics::detail
