using System.Globalization;
using Supervisor.Bench.Probe;

// Each prints nanoseconds, one number per line, like its yardstick in C.
switch (args)
{
    case ["listeners", var count]:
        Console.WriteLine(ListenersProbe.Run(int.Parse(count, CultureInfo.InvariantCulture)));
        return 0;
    case ["spawn", var count, var program, var socket]:
        foreach (var round in SpawnProbe.Run(int.Parse(count, CultureInfo.InvariantCulture), program, socket))
        {
            Console.WriteLine(round);
        }

        return 0;
    default:
        Console.Error.WriteLine("listend-probe listeners COUNT | spawn COUNT PROGRAM SOCKET");
        return 2;
}
