// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {

/// A function that is called with any bytes, and throws `BrokenProperty` if the library breaks a
/// promise for them.
struct Target {
    /// That of its file, of its program and of its folder in `corpus/`.
    std::string_view name;
    void (*run)(std::string_view bytes);
};

/// The targets that are linked into the program.
inline std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

/// Adds a target before `main` begins.
struct RegisteredTarget {
    RegisteredTarget(std::string_view name, void (*run)(std::string_view)) {
        targets().push_back({name, run});
    }
};

} // namespace wva_metrics::fuzz
