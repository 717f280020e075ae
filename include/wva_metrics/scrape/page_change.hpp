// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics::scrape {

/// The wanted series of a page, compared with the page before.
struct PageChange {
    /// On the page.
    std::size_t series = 0;
    /// On the page before.
    std::size_t known = 0;
    /// On the page before only.
    std::size_t missing = 0;
};

} // namespace wva_metrics::scrape
