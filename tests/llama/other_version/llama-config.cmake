# A libllama of another version, for the test that it is refused.
add_library(llama INTERFACE IMPORTED)
