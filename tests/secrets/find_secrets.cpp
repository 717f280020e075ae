// SPDX-License-Identifier: Apache-2.0

// find_secrets <file>: fails if the file contains a secret of the tests in any form, or nothing at
// all. See ../secrets.cmake.

#include "support/secrets.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

int main(int count, const char* const* arguments) {
    if (count != 2)
        return 2;
    std::ifstream file(arguments[1], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (text.empty()) {
        std::printf("%s has nothing to search\n", arguments[1]);
        return 2;
    }
    const std::string found = wva_metrics::test_support::find_secret(text);
    if (!found.empty()) {
        std::printf("%s contains the secret %s\n", arguments[1], found.c_str());
        return 1;
    }
    return 0;
}
