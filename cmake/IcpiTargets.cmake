# The rules by which icpi's own targets are made. Nothing here reaches users of the installed package.

# The public headers, as absolute paths, without those whose path below include/icpi matches `exclude`.
function(icpi_public_headers result exclude)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include/icpi
       ${PROJECT_SOURCE_DIR}/include/icpi/*.hpp)
  if(exclude)
    list(FILTER headers EXCLUDE REGEX "${exclude}")
  endif()
  list(TRANSFORM headers PREPEND ${PROJECT_SOURCE_DIR}/include/icpi/)
  set(${result} ${headers} PARENT_SCOPE)
endfunction()

# Warnings for icpi's own code; -Werror is the presets' choice (CMAKE_COMPILE_WARNING_AS_ERROR).
function(icpi_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  # g++ 12 sees overlaps in std::string concatenation that cannot occur (GCC bug 105651).
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endfunction()

# Installs target icpi_<component> with its headers. Extra arguments: what find_dependency() must find for it, one
# quoted argument list each, for instance "CURL 7.80".
function(icpi_install_component component)
  set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/icpi)
  install(
    TARGETS icpi_${component}
    EXPORT icpi-${component}-targets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development
    FILE_SET HEADERS COMPONENT development)
  install(EXPORT icpi-${component}-targets NAMESPACE icpi:: DESTINATION ${config_dir} COMPONENT development)
  set(dependency_lines "")
  foreach(dependency IN LISTS ARGN)
    string(APPEND dependency_lines "find_dependency(${dependency})\n")
  endforeach()
  file(WRITE ${PROJECT_BINARY_DIR}/cmake/icpi-${component}-dependencies.cmake "${dependency_lines}")
  install(FILES ${PROJECT_BINARY_DIR}/cmake/icpi-${component}-dependencies.cmake DESTINATION ${config_dir}
          COMPONENT development)
endfunction()

# Installs icpi-<name>.pc, or icpi.pc for the name icpi: what pkg-config says of it.
# DESCRIPTION <text>; LIBRARIES <flags>; REQUIRES <modules>; PRIVATE_REQUIRES <modules>, for static linking; FLAGS <flags>
function(icpi_install_pkg_config name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;LIBRARIES;REQUIRES;PRIVATE_REQUIRES;FLAGS" "")
  set(module icpi)
  if(NOT name STREQUAL "icpi")
    set(module icpi-${name})
  endif()
  # Found from where the file lies, so that an installation may be moved.
  string(REGEX REPLACE "[^/]+" ".." up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/icpi.pc.in ${PROJECT_BINARY_DIR}/cmake/${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/${module}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()

# icpi_add_component(<name> SOURCES <files> [PRIVATE_LIBRARIES <targets>]
#                    [DEPENDENCIES "<arguments of find_dependency>" ...] [PKG_CONFIG <modules of pkg-config>])
# makes the compiled component icpi::<name>: the sources of src/<name>, the public headers of include/icpi/<name>.
# Libraries are private: their headers never appear in public ones. The caller finds them (find_package REQUIRED).
function(icpi_add_component component)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PKG_CONFIG" "SOURCES;PRIVATE_LIBRARIES;DEPENDENCIES")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/icpi/${component}/*.hpp)
  add_library(icpi_${component} ${arg_SOURCES})
  add_library(icpi::${component} ALIAS icpi_${component})
  set_target_properties(icpi_${component} PROPERTIES EXPORT_NAME ${component} POSITION_INDEPENDENT_CODE ON
                                                     VERSION ${PROJECT_VERSION}
                                                     SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_sources(icpi_${component} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  target_link_libraries(icpi_${component} PUBLIC icpi::icpi PRIVATE ${arg_PRIVATE_LIBRARIES})
  icpi_set_warnings(icpi_${component})
  icpi_install_component(${component} ${arg_DEPENDENCIES})
  icpi_install_pkg_config(
    ${component}
    DESCRIPTION "${PROJECT_DESCRIPTION}: ${component}"
    LIBRARIES -licpi_${component}
    REQUIRES icpi
    PRIVATE_REQUIRES "${arg_PKG_CONFIG}")
endfunction()

# The files by which find_package(icpi) finds what was installed.
function(icpi_install_package)
  include(CMakePackageConfigHelpers)
  set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/icpi)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/icpi-config.cmake.in
                                ${PROJECT_BINARY_DIR}/cmake/icpi-config.cmake INSTALL_DESTINATION ${config_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/icpi-config-version.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/icpi-config.cmake ${PROJECT_BINARY_DIR}/cmake/icpi-config-version.cmake
          DESTINATION ${config_dir} COMPONENT development)
endfunction()
