// SPDX-License-Identifier: Apache-2.0
//
// Lets libFuzzer run the one target that is linked with it.

#include "fuzz/target.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const wva_metrics::fuzz::Target& target = wva_metrics::fuzz::targets().front();
    try {
        target.run(std::string_view(reinterpret_cast<const char*>(data), size));
    } catch (const std::exception& broken) {
        std::cerr << target.name << ": " << broken.what() << '\n';
        throw; // libFuzzer then stops and keeps the input.
    }
    return 0;
}
