using System.Runtime.ExceptionServices;

namespace Supervisor.Diagnosis.Tests;

/// <summary>A thread of its own, since a namespace and a file system uid belong to a thread; it ends with the work.</summary>
internal static class OnThread
{
    public static void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
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
