@echo off
rem Start the course on Windows: a double click. It needs no network.
cd /d "%~dp0"
for /f %%v in (pythons.txt) do call :try py -%%v
for /f %%v in (pythons.txt) do call :try python%%v
call :try python
echo No Python was found that this folder serves. It serves:
type pythons.txt
echo Open the installer from python.org, perhaps in the folder python of the stick.
echo It asks for no administrator if you choose "Install Now" for yourself alone.
pause
exit /b 1

:try
%* start.py fits >nul 2>nul
if errorlevel 1 exit /b
%* start.py
pause
exit
