#error taken from the submission
