raise ValueError("the data are wrong")
