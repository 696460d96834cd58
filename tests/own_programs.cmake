set(R2_SANITIZE "" CACHE STRING "Sanitizers of tests, examples and benchmarks: asan (with UBSan), tsan or none")
set_property(CACHE R2_SANITIZE PROPERTY STRINGS "" asan tsan)

option(R2_COVERAGE "Count which lines the tests run; see tests/run coverage" OFF)

set(CMAKE_CXX_EXTENSIONS OFF)
add_library(r2_own_flags INTERFACE)
target_compile_options(r2_own_flags INTERFACE -Wall -Wextra -Wpedantic)
if(R2_BUILD_TESTS)  # only for the tests: a user's newer compiler may have warnings that ours lacks
    target_compile_options(r2_own_flags INTERFACE -Werror)
endif()
if(R2_SANITIZE STREQUAL "asan")
    set(r2_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(R2_SANITIZE STREQUAL "tsan")
    set(r2_sanitizers -fsanitize=thread)
elseif(R2_SANITIZE)
    message(FATAL_ERROR "R2_SANITIZE is \"${R2_SANITIZE}\", neither asan nor tsan")
endif()
if(R2_SANITIZE)
    target_compile_options(r2_own_flags INTERFACE ${r2_sanitizers} -g1 -fno-omit-frame-pointer)
    target_link_options(r2_own_flags INTERFACE ${r2_sanitizers})
endif()
if(R2_COVERAGE)  # atomic, or counts of several threads would be lost
    target_compile_options(r2_own_flags INTERFACE --coverage -O0 -fprofile-update=atomic)
    target_link_options(r2_own_flags INTERFACE --coverage)
endif()

# Adds a program of one file, with the file's name. It uses r2 header-only.
function(r2_add_program file)
    cmake_path(GET file STEM name)
    add_executable(${name} "${file}")
    target_link_libraries(${name} PRIVATE r2::r2 r2_own_flags)
endfunction()

# All tests share one compiled library. It is optimised, as some of them run a million loops.
target_link_libraries(r2_compiled PRIVATE r2_own_flags)
if(NOT R2_COVERAGE)
    target_compile_options(r2_compiled PRIVATE -O2)
endif()
