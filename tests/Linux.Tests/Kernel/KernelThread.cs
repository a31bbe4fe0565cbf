using System.Runtime.ExceptionServices;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>
/// A separate thread for a test. The kernel keeps network namespaces, users and system call filters per thread, so changes end
/// with the thread and affect no other test.
/// </summary>
internal static class KernelThread
{
    /// <summary>Runs <paramref name="body"/> in an empty network with a loopback interface.</summary>
    public static void InNewNetwork(Action body) => Run(Libc.EnterNewNetwork, body);

    /// <summary>Runs <paramref name="body"/> as "nobody", without capabilities.</summary>
    public static void AsNobody(Action body) => Run(() => Libc.BecomeUser(65534), body);

    /// <summary>Runs <paramref name="body"/> as on a kernel without IPv6.</summary>
    public static void WithoutIPv6(Action body) => Run(Libc.RefuseIPv6, body);

    /// <summary>Runs both, one after the other.</summary>
    public static void Run(Action setUp, Action body)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                setUp();
                body();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
