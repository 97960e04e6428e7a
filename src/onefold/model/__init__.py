"""The words every room speaks: records, ids, time, money, errors. Imports nothing of ours."""
