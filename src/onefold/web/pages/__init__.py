"""The pages, one module a question; each offers `routes`."""
