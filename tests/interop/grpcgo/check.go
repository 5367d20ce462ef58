package main

func check(addr, authority string) {}
