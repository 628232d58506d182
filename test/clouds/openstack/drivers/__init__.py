"""What stands where a cloud has hardware: nothing runs, but every service believes that it does."""
