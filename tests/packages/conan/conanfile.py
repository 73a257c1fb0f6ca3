# SPDX-License-Identifier: MIT
"""Debian's package of a library, as Conan Center names the library and what it brings: in place of a remote.

conan create tests/packages/conan --name NAME, where NAME is one of LIBRARIES.
"""

import re
import subprocess

from conan import ConanFile

# Name: Debian's package; CMake's file and target; include folder, where it is not the compiler's own; library.
LIBRARIES = {
    "eigen": ("libeigen3-dev", "Eigen3", "Eigen3::Eigen", "/usr/include/eigen3", None),
    "fmt": ("libfmt-dev", "fmt", "fmt::fmt", None, "fmt"),
    "nlohmann_json": ("nlohmann-json3-dev", "nlohmann_json", "nlohmann_json::nlohmann_json", None, None),
    "libcurl": ("libcurl4-openssl-dev", "CURL", "CURL::libcurl", None, "curl"),
    "sqlite3": ("libsqlite3-dev", "SQLite3", "SQLite::SQLite3", None, "sqlite3"),
    "libpq": ("libpq-dev", "PostgreSQL", "PostgreSQL::PostgreSQL", "/usr/include/postgresql", "pq"),
}


class DebianLibrary(ConanFile):
    package_type = "shared-library"

    def set_version(self):
        package = LIBRARIES[self.name][0]
        version = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", package], check=True, capture_output=True, text=True
        ).stdout
        self.version = re.match(r"(?:\d+:)?([\d.]+)", version).group(1)

    def package_info(self):
        _, file_name, target_name, include_folder, library = LIBRARIES[self.name]
        self.cpp_info.set_property("cmake_file_name", file_name)
        self.cpp_info.set_property("cmake_target_name", target_name)
        self.cpp_info.includedirs = [include_folder] if include_folder else []
        self.cpp_info.libdirs = []
        self.cpp_info.bindirs = []
        self.cpp_info.system_libs = [library] if library else []
